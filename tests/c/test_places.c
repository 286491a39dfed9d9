#include "qc_places.h"
#include "qc_test.h"

static void no_places_need_no_memory(void)
{
    qc_places places;
    qc_place place = {1, 2, 3, 4, 5};

    qc_places_init(&places);
    CHECK_EQ(qc_places_find(&places, &place), -1);
    CHECK(qc_places_get(&places, 0) == NULL);
    CHECK(qc_places_check(&places, NULL));
    CHECK_EQ(qc_places_bytes(&places), 0);
    qc_places_free(&places);
    qc_places_free(&places);
}

static void ids_are_dense_and_stay(void)
{
    qc_places places;
    enum { PLACES = 5000 };

    qc_places_init(&places);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < PLACES; i++) {
            qc_place place = {(uint32_t)i % 3, (uint32_t)i / 1000, i, -i, (uint64_t)i};

            CHECK_EQ(qc_places_find(&places, &place), round != 0 ? i : -1);
            CHECK_EQ(qc_places_add(&places, &place), i);
        }
        CHECK_EQ(places.count, PLACES);
        CHECK(qc_places_check(&places, NULL));
    }
    CHECK_EQ(qc_places_get(&places, 4321)->hash, 4321);
    CHECK(qc_places_get(&places, PLACES) == NULL);
    CHECK(qc_places_get(&places, UINT64_C(1) << 32) == NULL);
    CHECK_EQ(qc_places_bytes(&places), qc_mem_bytes());
    qc_places_free(&places);
    CHECK_EQ(qc_mem_bytes(), 0);
}

static void each_number_counts(void)
{
    qc_places places;
    qc_place base = {0, 0, 0, 0, 0}, other[4] = {base, base, base, base};

    other[0].kind = 1;
    other[1].owner = 1;
    other[2].a = 1;
    other[3].b = 1;
    qc_places_init(&places);
    CHECK_EQ(qc_places_add(&places, &base), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(qc_places_add(&places, &other[i]), i + 1);
    }
    base.hash = 9; /* the hash is no part of it, and the first one is kept */
    CHECK_EQ(qc_places_add(&places, &base), 0);
    CHECK_EQ(qc_places_get(&places, 0)->hash, 0);
    qc_places_free(&places);
}

static void failed_allocations_change_nothing(void)
{
    for (long n = 1; n < 40; n++) {
        qc_places places;
        int failures = 0;

        qc_places_init(&places);
        qc_mem_fail_after(n);
        for (int i = 0; i < 300; i++) {
            qc_place place = {0, 0, i, 0, 0};
            int64_t id = qc_places_add(&places, &place);

            if (id < 0) {
                failures++;
                CHECK(qc_places_check(&places, NULL));
                id = qc_places_add(&places, &place);
            }
            CHECK_EQ(id, i);
        }
        qc_mem_fail_after(0);
        CHECK(failures <= 1);
        qc_places_free(&places);
    }
}

static void check_finds_what_is_broken(void)
{
    qc_places places;
    const char *reason = NULL;
    qc_place place = {0, 0, 7, 0, 0};

    qc_places_init(&places);
    qc_places_add(&places, &place);
    places.items[0].a = 8;
    CHECK(!qc_places_check(&places, &reason) && reason != NULL);
    places.items[0].a = 7;
    places.count = 0;
    CHECK(!qc_places_check(&places, &reason));
    places.count = 1;
    CHECK(qc_places_check(&places, &reason));
    qc_places_free(&places);
}

static void dump_names_each_place(void)
{
    FILE *out = tmpfile();
    const char *text;
    qc_places places;
    qc_place place = {1, 2, 30, -40, 5};

    qc_places_init(&places);
    qc_places_add(&places, &place);
    if (!CHECK(out != NULL)) {
        return;
    }
    qc_places_dump(&places, out);
    text = test_dumped(out);
    CHECK(strstr(text, "places: 1") != NULL);
    CHECK(strstr(text, "[0] kind 1 of 2: 30, -40") != NULL);
    qc_places_free(&places);
}

int main(void)
{
    RUN(no_places_need_no_memory);
    RUN(ids_are_dense_and_stay);
    RUN(each_number_counts);
    RUN(failed_allocations_change_nothing);
    RUN(check_finds_what_is_broken);
    RUN(dump_names_each_place);
    return test_report();
}
