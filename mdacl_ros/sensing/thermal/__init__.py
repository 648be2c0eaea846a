"""Raw thermal images of every encoding become network input and preview."""
