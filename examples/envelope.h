/* What Nexusguard says in an envelope, {code, msg, result}, and others by status. */
#ifndef ENVELOPE_H
#define ENVELOPE_H

/* A nexauth_judge_callback, whose context is a struct call_answer: 401 for an envelope with its rejection_code. */
int envelope_judge(void *context, int http_status);

#endif
