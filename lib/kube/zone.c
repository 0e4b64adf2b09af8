#include "kube/zone.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/view.h"

#define ZONE_NAME_MAX 128
#define ZONE_FOLDER   "/usr/share/zoneinfo"

struct kube_zone {
    GTimeZone *zone;
};

/* GLib also takes offsets and POSIX rules for names; here only the zones of the system count, and
 * nothing outside their folder. */
static bool zone_exists(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[ZONE_NAME_MAX + 256];
    int n = snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ZONE_FOLDER, name);

    return n > 0 && (size_t)n < sizeof path && name[0] != '/' && name[0] != '\\' &&
           strstr(name, "..") == NULL && access(path, R_OK) == 0;
}

static GTimeZone *zone_load(struct kvs_view name)
{
    char text[ZONE_NAME_MAX];

    if (name.len >= sizeof text || (name.len > 0 && memchr(name.data, '\0', name.len) != NULL)) {
        return NULL;
    }
    if (name.len == 0 || view_equal_str(name, "UTC")) {
        return g_time_zone_new_utc();
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return zone_exists(text) ? g_time_zone_new_identifier(text) : NULL;
}

int kube_zone_open(struct kvs_view name, struct kube_zone **ret_zone, struct buf *why)
{
    struct kube_zone *zone = kvs_calloc(1, sizeof *zone);

    if (zone == NULL) {
        return KVS_E_NOMEM;
    }
    zone->zone = zone_load(name);
    if (zone->zone == NULL) {
        if (why != NULL) {
            buf_append_str(why, "unknown time zone ");
            buf_append_view(why, name);
        }
        kvs_free(zone);
        return KVS_E_INVALID;
    }
    *ret_zone = zone;
    return 0;
}

void kube_zone_close(struct kube_zone *zone)
{
    if (zone != NULL) {
        g_time_zone_unref(zone->zone);
        kvs_free(zone);
    }
}

int32_t kube_zone_offset(const struct kube_zone *zone, int64_t seconds)
{
    gint interval;

    if (zone == NULL) {
        return 0;
    }
    interval = g_time_zone_find_interval(zone->zone, G_TIME_TYPE_UNIVERSAL, seconds);
    return interval < 0 ? 0 : g_time_zone_get_offset(zone->zone, interval);
}
