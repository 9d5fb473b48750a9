#include "compile/field.h"

#include "compile/partition.h"
#include "engine/catalog.h"
#include "wire/tables.bpf.h"

// Flags are numbered by the bits that filters ask for, and one more for all others.
#define FLAGS_BITS (WALL_FLAG_BITS_MAX + 1)

static bool dimension_of(enum wall_key key, enum wall_dimension *ret_dimension)
{
    static const struct {
        enum wall_key key;
        enum wall_dimension dimension;
    } rows[] = {
        { WALL_KEY_ALE_APP_ID, WALL_DIMENSION_APP },
        { WALL_KEY_ALE_USER_ID, WALL_DIMENSION_USER },
        { WALL_KEY_IP_REMOTE_ADDRESS, WALL_DIMENSION_REMOTE_ADDRESS },
        { WALL_KEY_IP_LOCAL_ADDRESS, WALL_DIMENSION_LOCAL_ADDRESS },
        { WALL_KEY_IP_REMOTE_PORT, WALL_DIMENSION_REMOTE_PORT },
        { WALL_KEY_IP_LOCAL_PORT, WALL_DIMENSION_LOCAL_PORT },
        { WALL_KEY_IP_PROTOCOL, WALL_DIMENSION_PROTOCOL },
        { WALL_KEY_FLAGS, WALL_DIMENSION_FLAGS },
        { WALL_KEY_INTERFACE_INDEX, WALL_DIMENSION_INTERFACE },
        { WALL_KEY_IP_LOCAL_ADDRESS_TYPE, WALL_DIMENSION_LOCAL_ADDRESS_TYPE },
        { WALL_KEY_IP_DESTINATION_ADDRESS_TYPE, WALL_DIMENSION_DESTINATION_ADDRESS_TYPE },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].key == key) {
            *ret_dimension = rows[i].dimension;
            return true;
        }
    }
    return false;
}

unsigned wall_compile_dimension_bits(uint16_t layer_id, enum wall_dimension dimension)
{
    switch (dimension) {
    case WALL_DIMENSION_REMOTE_ADDRESS:
    case WALL_DIMENSION_LOCAL_ADDRESS:
        return wall_catalog_layer_is_v6(layer_id) ? 128 : 32;
    case WALL_DIMENSION_REMOTE_PORT:
    case WALL_DIMENSION_LOCAL_PORT:
        return 16;
    case WALL_DIMENSION_PROTOCOL:
    case WALL_DIMENSION_LOCAL_ADDRESS_TYPE:
    case WALL_DIMENSION_DESTINATION_ADDRESS_TYPE:
        return 8;
    case WALL_DIMENSION_FLAGS:
        return FLAGS_BITS;
    case WALL_DIMENSION_CGROUP:
        return 64;
    default:
        return 32;
    }
}

bool wall_compile_field(uint16_t layer_id, uint16_t field_id, struct wall_compile_field *ret_field)
{
    struct wall_catalog_field field;
    enum wall_dimension dimension;
    if (!wall_catalog_field(layer_id, field_id, &field) || !dimension_of(field.key, &dimension))
        return false;
    *ret_field = (struct wall_compile_field){
        .dimension = dimension,
        .data_type = field.data_type,
        .bits = wall_compile_dimension_bits(layer_id, dimension),
    };
    return true;
}
