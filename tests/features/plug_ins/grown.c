/* grown: made with a later header of the same ABI, whose structs have more members. */
#include <scopestream/measure.h>

typedef struct {
    ScopestreamNumber number;
    const char *added;
} GrownNumber;

typedef struct {
    ScopestreamMeasure measure;
    const char *added;
} GrownMeasure;

static const GrownNumber numbers[] = {
    {{.name = "grown_width",
      .unit = "px",
      .formula = "width of the image",
      .source = "tests",
      .detects = "nothing",
      .version = 1},
     "later"},
    {{.name = "grown_height",
      .unit = "px",
      .formula = "height of the image",
      .source = "tests",
      .detects = "nothing",
      .version = 2},
     "later"},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    values[1] = image->height;
    return 0;
}

const GrownMeasure grown __asm__("scopestream_measure") = {
    {SCOPESTREAM_MEASURE_ABI, sizeof(GrownMeasure), "grown", &numbers[0].number, 2,
     sizeof(GrownNumber), compute},
    "later",
};
