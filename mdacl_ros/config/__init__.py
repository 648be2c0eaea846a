"""What a user sets: every parameter, its bounds and its explanation; without ROS."""
