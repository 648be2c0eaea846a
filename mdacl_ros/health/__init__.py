"""What is wrong with cameras, pairs and results, from what was observed; without ROS."""
