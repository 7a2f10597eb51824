/* What a walker is made of: its chance, its judgement, and what it has the service say. */
#ifndef NX_TEST_WALKER_PARTS_H
#define NX_TEST_WALKER_PARTS_H

#include "hostile/walker.h"

#define MUST(walker, truth)                                                                                            \
    do {                                                                                                               \
        if (!(truth))                                                                                                  \
            walker_die(walker, #truth, __LINE__);                                                                      \
    } while (0)

/* Ends the program. */
void walker_die(const struct walker *walker, const char *truth, int line);

/* A number by chance. */
uint64_t walker_draw(struct walker *walker, uint64_t below);

/* An error that fits its status, which is one of the enum, and holds no secret. */
void walker_judge(struct walker *walker, nexauth_status status, const struct nexauth_error *error);

/* A whole one: never the half of an answer. */
void walker_judge_token(struct walker *walker, const nexauth_token *token);

/* From now on the service answers otherwise. */
void walker_answer_otherwise(struct walker *walker);

void walker_let_time_pass(struct walker *walker);

#endif
