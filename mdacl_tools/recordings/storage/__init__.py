"""The files that bags are kept in: mcap, sqlite3 and ROS 1, sound or damaged, read alike."""
