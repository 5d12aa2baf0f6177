"""Speech: recordings to what is said in them."""
