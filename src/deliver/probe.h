/* deliver/probe.h - one look at each receiver, for `licet check --live`.
 *
 * Nothing of anybody's data is sent: a receiver that has a place to examine events gets a made-up one
 * there, which it does not record; of the others it is seen whether they are found, answer and, with https,
 * are who they say. Blocks; needs neither store nor daemon.
 *
 * Limit:  LIMIT_SEND_S for each receiver.
 */
#ifndef DELIVER_PROBE_H
#define DELIVER_PROBE_H

#include "base/buf.h"
#include "conf/conf.h"

/* OK; ERR_NOT_FOUND for a type that nothing is sent to; ERR_IO when it cannot be reached, ERR_VALUE when it finds
 * fault. *says then has a line for each thing, without secrets, addresses or control characters. */
enum err probe(const struct conf_destination *d, struct buf *says) MUST_CHECK;

#endif
