// Linked only into programs that are built with AddressSanitizer.

// fontconfig keeps the fonts it found for the life of the process, behind pointers stored as
// offsets that the leak checker cannot follow.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }
