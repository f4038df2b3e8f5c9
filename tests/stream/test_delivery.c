#include "stream/delivery.h"
#include "tests/nats_server.h"
#include "tests/suite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One process is both ends here: an office that finds frames in a folder, and a desk. */
static NatsServer server;
static Settings *settings;
static Bus *office_bus, *desk_bus;
static DeliveryOffice *office;
static DeliveryDesk *desk;
static char *folder;
static Frame *frame;

static gint64 mtime_ns_of(const char *file) {
    struct stat now;
    ck_assert_int_eq(stat(file, &now), 0);
    return (gint64)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
}

static bool journal_is_behind; /* the lookup cannot tell yet */

/* What ingest does with its journal: the frame's bytes are a new header of four bytes, then the
 * file without its first four: told in pieces, as the page of a stack is. */
static FrameBytes *lookup(const FrameId *id, void *context, GError **error) {
    if (journal_is_behind) {
        fault_set(error, FAULT_AGAIN, "the folder is still being scanned");
        return NULL;
    }
    if (!frame_id_equal(id, &frame->id)) {
        fault_set(error, FAULT_VANISHED, "no such frame in the journal");
        return NULL;
    }
    g_autofree char *file = g_build_filename(folder, frame->path, NULL);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fault_set(error, FAULT_VANISHED, "%s: %s", file, g_strerror(errno));
        return NULL;
    }
    FrameBytes *bytes = frame_bytes_new(fd, frame->size_bytes, frame->mtime_ns);
    frame_bytes_add_memory(bytes, "head", 4);
    frame_bytes_add_range(bytes, 4, frame->size_bytes - 4);
    return bytes;
}

static guint8 pattern(gsize at) {
    return (guint8)(at * 2654435761u >> 13);
}

static void write_file(const char *name, gsize size) {
    g_autofree char *file = g_build_filename(folder, name, NULL);
    g_autofree guint8 *data = g_malloc(size);
    for (gsize at = 0; at < size; at++)
        data[at] = at < 4 ? (guint8) "head"[at] : pattern(at);
    ck_assert(g_file_set_contents(file, (const char *)data, (gssize)size, NULL));
    frame_free(frame);
    frame = frame_new();
    frame->source = g_strdup("scope1");
    frame->path = g_strdup(name);
    frame->size_bytes = size;
    frame->mtime_ns = mtime_ns_of(file);
    frame_identify(frame);
}

static void begin(const char *deliveries, gsize size) {
    const guint8 secret[32] = "a secret of the journal";
    server = nats_server_start();
    settings = nats_server_settings(&server);
    folder = g_dir_make_tmp("scopestream-delivery-XXXXXX", NULL);
    g_autofree char *source = g_strconcat("scope1=", folder, NULL);
    settings_set(settings, "source", source, NULL);
    settings_set(settings, "direct-listen", "127.0.0.1:0", NULL);
    settings_set(settings, "deliveries", deliveries, NULL);
    settings_set(settings, "mounts", source, NULL);
    write_file("frame.tif", size);
    GError *error = NULL;
    office_bus = bus_open(settings, "office", &error);
    desk_bus = bus_open(settings, "desk", &error);
    ck_assert(bus_wait(office_bus, 10000, &error) && bus_wait(desk_bus, 10000, &error));
    office = delivery_office_open(settings, office_bus, secret, lookup, NULL, &error);
    desk = delivery_desk_open(settings, desk_bus, &error);
    ck_assert_msg(office != NULL && desk != NULL, "%s", error != NULL ? error->message : "");
}

static void end(void) {
    delivery_desk_close(desk);
    bus_close(desk_bus);
    bus_close(office_bus);
    delivery_office_close(office);
    settings_free(settings);
    nats_server_stop(&server);
    folder_delete(folder);
    g_free(folder);
    g_clear_pointer(&frame, frame_free);
}

static Descriptor *offered(void) {
    Descriptor *descriptor = descriptor_new();
    descriptor->frame = frame_copy(frame);
    descriptor->pipeline = g_strdup("quality");
    ck_assert(delivery_offer(office, descriptor, NULL));
    return descriptor;
}

static void receives_whole_frame(const char *way) {
    g_autoptr(Descriptor) descriptor = offered();
    DeliveryParcel parcel = {0};
    g_autoptr(GError) error = NULL;
    ck_assert_msg(delivery_receive(desk, descriptor, &parcel, &error), "%s",
                  error != NULL ? error->message : "");
    ck_assert_str_eq(parcel.way, way);
    gsize size;
    const guint8 *data = g_bytes_get_data(parcel.bytes, &size);
    ck_assert_uint_eq(size, frame->size_bytes);
    ck_assert_int_eq(memcmp(data, "head", 4), 0);
    for (gsize at = 4; at < size; at++)
        if (data[at] != pattern(at))
            ck_abort_msg("byte %zu differs", at);
    ck_assert(delivery_parcel_check(&parcel, NULL));
    delivery_parcel_clear(&parcel);
}

static GError *refusal(void) {
    g_autoptr(Descriptor) descriptor = offered();
    DeliveryParcel parcel = {0};
    GError *error = NULL;
    ck_assert(!delivery_receive(desk, descriptor, &parcel, &error));
    return error;
}

enum { TEN_MEGABYTES = 10000019, HUNDRED_MEGABYTES = 100000007 };

START_TEST(a_small_frame_rides_along) {
    begin("inline,path,direct,fetch", 20000);
    receives_whole_frame("inline");
    end();
}
END_TEST

START_TEST(a_shared_disk_is_mapped) {
    begin("inline,path,direct,fetch", TEN_MEGABYTES);
    receives_whole_frame("path");
    end();
}
END_TEST

START_TEST(direct_brings_the_same_bytes_frame_after_frame) {
    begin("direct", TEN_MEGABYTES);
    for (int times = 0; times < 3; times++)
        receives_whole_frame("direct");
    end();
}
END_TEST

START_TEST(fetch_brings_a_hundred_megabytes_through_a_server_of_one) {
    begin("fetch", HUNDRED_MEGABYTES);
    ck_assert_uint_eq(bus_max_payload(desk_bus), 1 << 20);
    receives_whole_frame("fetch");
    end();
}
END_TEST

START_TEST(every_size_around_a_chunk_passes) {
    const gsize chunk = (1 << 20) - 4096, window = 8 << 20;
    const gsize sizes[] = {5,          chunk - 1,      chunk,      chunk + 1,
                           window / 2, window / 2 + 1, window - 1, window + chunk};
    begin("fetch", 5);
    for (guint index = 0; index < G_N_ELEMENTS(sizes); index++) {
        write_file("another.tif", sizes[index]);
        receives_whole_frame("fetch");
    }
    end();
}
END_TEST

START_TEST(where_one_way_fails_the_next_is_taken) {
    begin("path,direct,fetch", TEN_MEGABYTES);
    settings_set(settings, "mounts", "scope1=/nowhere", NULL);
    delivery_desk_close(desk);
    desk = delivery_desk_open(settings, desk_bus, NULL);
    receives_whole_frame("direct");
    end();
}
END_TEST

START_TEST(a_changed_file_is_told_by_every_way) {
    const char *ways[] = {"direct", "fetch", "path,fetch"};
    for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
        begin(ways[way], TEN_MEGABYTES);
        g_autofree char *file = g_build_filename(folder, "frame.tif", NULL);
        FILE *again = fopen(file, "r+");
        fputc('x', again);
        fclose(again);
        ck_assert_int_ne(mtime_ns_of(file), frame->mtime_ns);
        g_autoptr(GError) error = refusal();
        ck_assert_msg(fault_is(error, FAULT_VANISHED), "%s: %s", ways[way], error->message);
        end();
    }
}
END_TEST

START_TEST(a_file_that_is_gone_is_told) {
    begin("direct,fetch", TEN_MEGABYTES);
    g_autofree char *file = g_build_filename(folder, "frame.tif", NULL);
    unlink(file);
    g_autoptr(GError) error = refusal();
    ck_assert(fault_is(error, FAULT_VANISHED));
    end();
}
END_TEST

/* Its row would say vanished for ever. */
START_TEST(an_ingest_that_cannot_tell_yet_says_so_by_every_way) {
    const char *ways[] = {"direct", "fetch", "direct,fetch"};
    for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
        begin(ways[way], TEN_MEGABYTES);
        journal_is_behind = true;
        g_autoptr(GError) error = refusal();
        ck_assert_msg(fault_is(error, FAULT_AGAIN), "%s: %s", ways[way], error->message);
        journal_is_behind = false;
        end();
    }
}
END_TEST

START_TEST(a_mapped_file_that_changes_meanwhile_is_noticed) {
    begin("path", TEN_MEGABYTES);
    g_autoptr(Descriptor) descriptor = offered();
    DeliveryParcel parcel = {0};
    ck_assert(delivery_receive(desk, descriptor, &parcel, NULL));
    g_autofree char *file = g_build_filename(folder, "frame.tif", NULL);
    FILE *again = fopen(file, "r+");
    fputc('x', again);
    fclose(again);
    g_autoptr(GError) error = NULL;
    ck_assert(!delivery_parcel_check(&parcel, &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    delivery_parcel_clear(&parcel);
    end();
}
END_TEST

START_TEST(without_the_key_nothing_is_served) {
    begin("direct", TEN_MEGABYTES);
    g_autoptr(Descriptor) descriptor = offered();
    descriptor->direct_key[5] ^= 1;
    DeliveryParcel parcel = {0};
    g_autoptr(GError) error = NULL;
    ck_assert(!delivery_receive(desk, descriptor, &parcel, &error));
    ck_assert_msg(fault_is(error, FAULT_AGAIN), "%s", error->message);
    receives_whole_frame("direct"); /* and an honest one is served after it */
    end();
}
END_TEST

START_TEST(a_path_that_climbs_out_is_not_opened) {
    begin("path", TEN_MEGABYTES);
    frame_set_text(&frame->path, "../../../../../../etc/passwd");
    g_autoptr(Descriptor) descriptor = descriptor_new();
    descriptor->frame = frame_copy(frame);
    DeliveryParcel parcel = {0};
    g_autoptr(GError) error = NULL;
    ck_assert(!delivery_receive(desk, descriptor, &parcel, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    end();
}
END_TEST

START_TEST(a_frame_larger_than_allowed_is_refused_before_memory_is_taken) {
    const char *ways[] = {"direct", "fetch"};
    for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
        begin(ways[way], TEN_MEGABYTES);
        settings->frame_limit_bytes = TEN_MEGABYTES - 1;
        g_autoptr(GError) error = refusal();
        ck_assert_msg(fault_is(error, FAULT_BROKEN), "%s", error->message);
        end();
    }
}
END_TEST

START_TEST(nobody_there_means_later) {
    begin("fetch", TEN_MEGABYTES);
    g_autoptr(Descriptor) descriptor = offered();
    g_free(descriptor->fetch_subject);
    descriptor->fetch_subject = g_strdup("scopestream.fetch.nobody");
    DeliveryParcel parcel = {0};
    g_autoptr(GError) error = NULL;
    ck_assert(!delivery_receive(desk, descriptor, &parcel, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    end();
}
END_TEST

START_TEST(an_unknown_delivery_is_a_wrong_setting) {
    g_autoptr(Settings) wrong = settings_new();
    settings_set(wrong, "deliveries", "inline,pigeon", NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(delivery_desk_open(wrong, NULL, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
}
END_TEST

SUITE("delivery", a_small_frame_rides_along, a_shared_disk_is_mapped,
      direct_brings_the_same_bytes_frame_after_frame,
      fetch_brings_a_hundred_megabytes_through_a_server_of_one, every_size_around_a_chunk_passes,
      where_one_way_fails_the_next_is_taken, a_changed_file_is_told_by_every_way,
      a_file_that_is_gone_is_told, an_ingest_that_cannot_tell_yet_says_so_by_every_way,
      a_mapped_file_that_changes_meanwhile_is_noticed, without_the_key_nothing_is_served,
      a_path_that_climbs_out_is_not_opened,
      a_frame_larger_than_allowed_is_refused_before_memory_is_taken, nobody_there_means_later,
      an_unknown_delivery_is_a_wrong_setting)
