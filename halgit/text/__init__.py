"""Text that people write and read: paths inside a document, bounded regular expressions, shared phrases. Pure."""
