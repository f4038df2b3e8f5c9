#include "store/notify.h"
#include <string.h>

/* The frames of one source and pipeline that have rows. */
typedef struct {
    JsonArray *ids;
    JsonArray *vanished; /* those of them whose rows say so */
} Group;

static Group *group_new(void) {
    Group *group = g_new0(Group, 1);
    group->ids = json_array_new();
    group->vanished = json_array_new();
    return group;
}

static void group_free(gpointer data) {
    Group *group = data;
    json_array_unref(group->ids);
    json_array_unref(group->vanished);
    g_free(group);
}

/* By "source pipeline": neither name has a space. */
static GHashTable *group_frames(const Batch *batch) {
    GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, group_free);
    for (guint i = 0; i < batch->documents->len; i++) {
        const Document *document = g_ptr_array_index(batch->documents, i);
        if (!document->has_row)
            continue;
        g_autofree char *name = g_strdup_printf("%s %s", document->source, document->pipeline);
        Group *group = g_hash_table_lookup(groups, name);
        if (group == NULL) {
            group = group_new();
            g_hash_table_insert(groups, g_steal_pointer(&name), group);
        }
        json_array_add_string_element(group->ids, document->frame_id);
        if (document->is_vanished)
            json_array_add_string_element(group->vanished, document->frame_id);
    }
    return groups;
}

static void publish_group(Bus *bus, const char *source, const char *pipeline, const Group *group) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    json_object_set_string_member(object, "pipeline", pipeline);
    json_object_set_array_member(object, "frame_ids", json_array_ref(group->ids));
    if (json_array_get_length(group->vanished) > 0)
        json_object_set_array_member(object, "vanished_ids", json_array_ref(group->vanished));
    g_autofree char *body = json_to_string(root, FALSE);
    g_autofree char *subject = g_strdup_printf("scopestream.stored.%s", source);
    bus_publish(bus, subject, NULL, body, strlen(body), NULL);
}

void notify_stored(Bus *bus, const Batch *batch) {
    g_autoptr(GHashTable) groups = group_frames(batch);
    GHashTableIter each;
    gpointer name, group;
    g_hash_table_iter_init(&each, groups);
    while (g_hash_table_iter_next(&each, &name, &group)) {
        g_auto(GStrv) names = g_strsplit(name, " ", 2);
        publish_group(bus, names[0], names[1], group);
    }
}
