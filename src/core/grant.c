#include "core/provider.h"

enum { STATE_LONGEST = 64 };

void nx_issue_init(struct nx_issue *issue, size_t bound)
{
    *issue = (struct nx_issue){.stated_s = -1};
    nx_text_init(&issue->access_token, bound);
    nx_text_init(&issue->refresh_token, bound > NX_GRANT_LONGEST ? bound : NX_GRANT_LONGEST);
    nx_text_init(&issue->scope, bound);
}

void nx_issue_release(struct nx_issue *issue)
{
    nx_text_release(&issue->access_token);
    nx_text_release(&issue->refresh_token);
    nx_text_release(&issue->scope);
}

void nx_grant_init(struct nx_grant *grant)
{
    *grant = (struct nx_grant){0};
    nx_text_init(&grant->refresh_token, NX_GRANT_LONGEST);
    nx_text_init(&grant->code, NX_GRANT_LONGEST);
    nx_text_init(&grant->state, STATE_LONGEST);
    nx_text_init(&grant->brought, NX_GRANT_LONGEST);
    nx_text_init(&grant->supplied, NX_OPTION_LONGEST);
    nx_text_init(&grant->asked, NX_OPTION_LONGEST);
    nx_text_init(&grant->brought_with, NX_OPTION_LONGEST);
}

void nx_grant_release(struct nx_grant *grant)
{
    nx_text_release(&grant->refresh_token);
    nx_text_release(&grant->code);
    nx_text_release(&grant->state);
    nx_text_release(&grant->supplied);
    nx_text_release(&grant->brought);
    nx_text_release(&grant->asked);
    nx_text_release(&grant->brought_with);
}
