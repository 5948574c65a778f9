/* A plug-in needs the header alone; its own test is elsewhere. */
#if __has_include(<gorila_env.h>)
#include <gorila_env.h>
#endif
int outside_plugin(void) { return 0; }
