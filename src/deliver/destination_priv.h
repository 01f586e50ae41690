/* deliver/destination_priv.h - the one symbol of every file in destinations/. */
#ifndef DELIVER_DESTINATION_PRIV_H
#define DELIVER_DESTINATION_PRIV_H

#include "deliver/destination.h"

extern const struct destination destination_ga4, destination_webhook;

#endif
