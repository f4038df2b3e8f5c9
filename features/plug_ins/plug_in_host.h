/* plug_in_host: the process a plug-in lives in. It holds nothing that could be harmed: no frame, no
 * connection, no file but the plug-in's. plug_in_wire.h tells how it is spoken to. */
#ifndef FEATURES_PLUG_IN_HOST_H
#define FEATURES_PLUG_IN_HOST_H

/* Loads the plug-in, describes it, and computes until nobody asks any more. arguments: what follows
 * PLUG_IN_HOST_COMMAND on the command line, ends with NULL. Does not return but with the exit
 * status for a process that a person has started by hand. */
int plug_in_host_run(char **arguments);

#endif
