"""The dialect of the predecessor's repositories: tokens, file variants and the `bom`. Pure."""
