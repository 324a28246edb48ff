/*
 * outcome.h: how a transfer ended: the result code, the phase, and a sentence for the operator.
 */
#ifndef FETCH_OUTCOME_H
#define FETCH_OUTCOME_H

#include "fetch/transfer.h"

/* There is an answer, whatever its status. */
void outcome_answer(struct transfer *transfer);
/* We do not want it; `why` is a predicate without secrets. */
void outcome_refuse(struct transfer *transfer, const char *why);
/* It did not work. */
void outcome_fail(struct transfer *transfer, CURLcode result);

#endif
