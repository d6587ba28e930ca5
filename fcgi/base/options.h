#ifndef BASE_OPTIONS_H_
#define BASE_OPTIONS_H_

/**
 * options_read(name, what, argc, argv, conf_path):
 * The options of a FastCGI program: ${name} is that of its file, ${what} for
 * people, as "relay responder".  -1: it is to go on, with ${conf_path},
 * which is borrowed from ${argv}, or NULL where none was given; else all is
 * said, and it is the exit status.
 */
int options_read(const char *name, const char *what, int argc, char **argv,
    const char **conf_path);

#endif /* !BASE_OPTIONS_H_ */
