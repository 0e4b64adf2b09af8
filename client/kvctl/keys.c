#include "keys.h"

#include <string.h>

int keys_range(struct ctl *ctl,
               const char *command,
               struct kvs_view *ret_key,
               struct kvs_view *ret_end,
               void **ret_memory)
{
    bool prefix = ctl_bool(ctl, "prefix");
    bool from_key = ctl_bool(ctl, "from-key");

    *ret_memory = NULL;
    if (prefix && from_key) {
        return ctl_fail(EXIT_BAD_ARGS,
                        "`--prefix` and `--from-key` cannot be set at the same time, choose one");
    }
    if (ctl->n_args < 1 || ctl->n_args > 2) {
        return ctl_fail(
            EXIT_BAD_ARGS,
            "%s command needs one argument as key and an optional argument as range_end", command);
    }
    if ((prefix || from_key) && ctl->n_args > 1) {
        return ctl_fail(EXIT_BAD_ARGS,
                        "too many arguments, only accept one argument when `--prefix` or "
                        "`--from-key` is set");
    }
    *ret_key = ctl_view(ctl->args[0]);
    *ret_end = ctl->n_args > 1 ? ctl_view(ctl->args[1]) : (struct kvs_view){"", 0};
    if ((prefix || from_key) && ret_key->len == 0) {
        *ret_key = (struct kvs_view){"", 1}; /* the terminator is the least key */
    }
    if (from_key || (prefix && ctl->args[0][0] == '\0')) {
        *ret_end = (struct kvs_view){"", 1};
    } else if (prefix) {
        *ret_memory = ctl_alloc(ret_key->len);
        *ret_end = (struct kvs_view){*ret_memory, kvs_prefix_end(*ret_key, *ret_memory)};
    }
    return 0;
}
