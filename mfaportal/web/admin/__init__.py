"""Access: who may enter, as what, and how they prove themselves."""
