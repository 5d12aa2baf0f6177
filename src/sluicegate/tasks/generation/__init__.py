"""What the tasks that write text share: sub-words, attention decoders, teacher forcing, and search."""
