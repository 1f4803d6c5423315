#pragma once
/* The files that come with osprey-ws-cc. */

/* Returns the path of a file, to be freed: in a folder beside this executable, as in a build directory, else in the
 * folder of the installed libraries. NULL if out of memory. */
char *cc_install_find(const char *built_folder, const char *name);
