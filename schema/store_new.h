/* SPDX-License-Identifier: MIT
 * A database made at once out of what others hold, for a dump and for a repair: in rollback-journal
 * mode, with nothing beside it, complete under its name or not there at all. */
#ifndef PT_SCHEMA_STORE_NEW_H
#define PT_SCHEMA_STORE_NEW_H

#include "schema/store.h"

struct pt_new;

/* A file to be called `path`, which must not exist or be an empty regular file; mode 0600. Until
 * pt_new_finish it is "path.part-XXXXXX". PT_EUSAGE: there is something of that name. */
int pt_new_create(const char *path, struct pt_new **ret, struct pt_err *err);
/* A file without a name, in directory dir: for pt_new_send. */
int pt_new_anonymous(const char *dir, struct pt_new **ret, struct pt_err *err);
/* Owned by n, good until finished or sent. */
struct pt_store *pt_new_store(struct pt_new *n);
/* Closes it, makes it durable and gives it its name. */
int pt_new_finish(struct pt_new *n, struct pt_err *err);
/* Closes it and writes it to fd, which stays open. what: fd's name in messages. */
int pt_new_send(struct pt_new *n, int fd, const char *what, struct pt_err *err);
int64_t pt_new_bytes(const struct pt_new *n); /* once finished or sent */
/* Of what is not finished nothing is left. NULL is fine. */
void pt_new_free(struct pt_new *n);

#endif
