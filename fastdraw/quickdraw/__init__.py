"""Files of drawings: finding, fetching, checking, reading and writing them."""
