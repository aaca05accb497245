#pragma once
#include <oneapi/dnnl/dnnl.h>

// oneDNN's 2.x and 3.x differ in how descriptors are made; everything else that we call is the same.

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t shim_layout;

static inline dnnl_status_t shim_layout_make(
    shim_layout *layout, int rank, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(layout, rank, dims, type, strides);
}
static inline void shim_layout_free(shim_layout *layout) { dnnl_memory_desc_destroy(*layout); }
static inline dnnl_status_t shim_memory(dnnl_memory_t *memory, const shim_layout *layout, dnnl_engine_t engine) {
    return dnnl_memory_create(memory, *layout, engine, DNNL_MEMORY_NONE);
}
static inline dnnl_status_t shim_append_sum(dnnl_post_ops_t operations) {
    return dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef);
}
static inline dnnl_status_t shim_matmul(
    dnnl_primitive_desc_t *description, dnnl_engine_t engine, const shim_layout *a, const shim_layout *b,
    const shim_layout *bias, const shim_layout *c, const_dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(description, engine, *a, *b, bias ? *bias : NULL, *c, attributes);
}
static inline dnnl_status_t shim_scratchpad(
    dnnl_memory_t *memory, size_t *bytes, const_dnnl_primitive_desc_t description, dnnl_engine_t engine) {
    const_dnnl_memory_desc_t layout = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    *bytes = dnnl_memory_desc_get_size(layout);
    return dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
}

#else

typedef dnnl_memory_desc_t shim_layout;

static inline dnnl_status_t shim_layout_make(
    shim_layout *layout, int rank, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(layout, rank, dims, type, strides);
}
static inline void shim_layout_free(shim_layout *layout) { (void)layout; }
static inline dnnl_status_t shim_memory(dnnl_memory_t *memory, const shim_layout *layout, dnnl_engine_t engine) {
    return dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
}
static inline dnnl_status_t shim_append_sum(dnnl_post_ops_t operations) {
    return dnnl_post_ops_append_sum(operations, 1.0f);
}
static inline dnnl_status_t shim_matmul(
    dnnl_primitive_desc_t *description, dnnl_engine_t engine, const shim_layout *a, const shim_layout *b,
    const shim_layout *bias, const shim_layout *c, const_dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, a, b, bias, c);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(description, &operation, attributes, engine, NULL);
}
static inline dnnl_status_t shim_scratchpad(
    dnnl_memory_t *memory, size_t *bytes, const_dnnl_primitive_desc_t description, dnnl_engine_t engine) {
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    *bytes = dnnl_memory_desc_get_size(layout);
    return dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
}

#endif
