"""Files of drawings: download, check, read, write and convert them."""
