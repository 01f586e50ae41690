/* pipeline/post.h - letters on their way to the mail server, on a thread of their own.
 *
 * That a letter is to be sent is on disk before it is handed over here; that it was is written afterwards. So it goes
 * at least once, whatever is killed; twice it has the same Message-ID. Tried again with growing pauses until
 * the link's time is over.
 *
 * Thread: the loop's.
 */
#ifndef PIPELINE_POST_H
#define PIPELINE_POST_H

#include <stdbool.h>

struct pipeline;
struct post;

struct post *post_new(struct pipeline *p);
void post_free(struct post **o); /* waits for a letter that is being sent: a second at most */
/* A letter was asked for: it is handed over once that is on disk. */
void post_wake(struct post *o);
/* Breaks off what is being sent; what became of it is known when it is idle. */
void post_stop(struct post *o);
bool post_idle(const struct post *o);
/* What became of letters, into the open group. */
void post_write(struct post *o);
/* Those that are due to the thread, when it has none. Outside a group. */
void post_hand_over(struct post *o);

#endif
