/* How recent the cache has to be before a list or watch may be served from it. */
#include "base/attr.h"
#include "base/view.h"
#include "kube/api/api_int.h"

static void api_fresh_waited(struct kube_cache_wait *w)
{
    struct api_fresh *f = container_of(w, struct api_fresh, wait);

    f->cb(f);
}

static void api_fresh_told(struct kube_store_barrier *b)
{
    struct api_fresh *f = container_of(b, struct api_fresh, barrier);

    f->status = b->status;
    if (f->status != 0) {
        f->cb(f);
    } else {
        kube_registry_wait(f->registry, f->cache, &f->wait, b->revision);
    }
}

void api_fresh_start(struct api_fresh *f,
                     struct kube_registry *registry,
                     struct kube_cache *cache,
                     uint64_t revision,
                     void (*cb)(struct api_fresh *f))
{
    *f = (struct api_fresh){.registry = registry,
                            .cache = cache,
                            .cb = cb,
                            .barrier = {.cb = api_fresh_told},
                            .wait = {.cb = api_fresh_waited}};
    if (revision > 0) {
        kube_registry_wait(registry, cache, &f->wait, revision);
    } else {
        kube_store_barrier(kube_registry_store(registry), &f->barrier);
    }
}

int api_revision_parse(struct kvs_view text, uint64_t *ret_revision, struct kube_status *status)
{
    const char *digits = text.data;
    uint64_t number = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (digits[i] < '0' || digits[i] > '9' || number > (INT64_MAX - 9) / 10) {
            kube_status_bad_request(status, "invalid resource version \"%.*s\"", (int)text.len,
                                    digits);
            return KVS_E_INVALID;
        }
        number = number * 10 + (uint64_t)(digits[i] - '0');
    }
    *ret_revision = number;
    return 0;
}
