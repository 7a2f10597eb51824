#include "support/test.h"

#include "core/siphash.h"

/* The reference vectors: key 00 01 .. 0f, input 00 01 .. of each length. */
static const struct nx_siphash_key KEY = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static void the_hash_gives_the_reference_vectors(void **state)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } CASES[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},  {2, UINT64_C(0x0d6c8009d9a94f5a)},
        {3, UINT64_C(0x85676696d7fb7e2d)},  {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
        {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {9, UINT64_C(0x9e0082df0ba9e4b0)},  {15, UINT64_C(0xa129ca6149be45e5)}, {16, UINT64_C(0x3f2acc7f57c29bdb)},
        {63, UINT64_C(0x958a324ceb064572)},
    };
    unsigned char input[64];

    (void)state;
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(nx_siphash(&KEY, input, CASES[i].size), CASES[i].hash);
}

static void another_key_gives_another_hash(void **state)
{
    const struct nx_siphash_key other = {KEY.k0 ^ 1, KEY.k1};

    (void)state;
    assert_int_not_equal(nx_siphash(&KEY, "nexauth", 7), nx_siphash(&other, "nexauth", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_gives_the_reference_vectors),
        cmocka_unit_test(another_key_gives_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
