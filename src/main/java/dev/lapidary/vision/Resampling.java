package dev.lapidary.vision;

/// Antialiased resizing bit for bit as Pillow does it, which the reference's processors use: rows, then columns, each
/// rounded to 8 bits, with weights in fixed point.
///
/// Source: Pillow 11.1, `src/libImaging/Resample.c`.
enum Resampling {
    BILINEAR(1) {
        @Override
        double weight(double x) {
            return Math.max(0, 1 - Math.abs(x));
        }
    },
    BICUBIC(2) {
        @Override
        double weight(double x) {
            double a = -0.5;
            double d = Math.abs(x);
            if (d < 1) {
                return ((a + 2) * d - (a + 3)) * d * d + 1;
            }
            return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
        }
    };

    private static final int COLOURS = 3;
    private static final int PRECISION_BITS = 32 - 8 - 2;

    private final double support;

    Resampling(double support) {
        this.support = support;
    }

    /// The filter's weight at a distance of `x` pixels.
    abstract double weight(double x);

    /// `image` with other extents.
    RgbImage resize(RgbImage image, int width, int height) {
        RgbImage narrowed = image;
        if (width != image.width()) {
            byte[] out = new byte[Math.multiplyExact(COLOURS * width, image.height())];
            Taps taps = taps(image.width(), width);
            for (int y = 0; y < image.height(); y++) {
                for (int x = 0; x < width; x++) {
                    int from = COLOURS * (y * image.width() + taps.first[x]);
                    taps.apply(x, image.rgb(), from, COLOURS, out, COLOURS * (y * width + x));
                }
            }
            narrowed = new RgbImage(width, image.height(), out);
        }
        if (height == image.height()) {
            return narrowed;
        }
        byte[] out = new byte[COLOURS * width * height];
        Taps taps = taps(image.height(), height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int from = COLOURS * (taps.first[y] * width + x);
                taps.apply(y, narrowed.rgb(), from, COLOURS * width, out, COLOURS * (y * width + x));
            }
        }
        return new RgbImage(width, height, out);
    }

    private Taps taps(int from, int to) {
        double scale = (double) from / to;
        double filterScale = Math.max(scale, 1);
        double reach = support * filterScale;
        Taps taps = new Taps(new int[to], new int[to][]);
        for (int i = 0; i < to; i++) {
            double centre = (i + 0.5) * scale;
            int first = Math.max(0, (int) (centre - reach + 0.5));
            int count = Math.min(from, (int) (centre + reach + 0.5)) - first;
            double[] weights = new double[count];
            double sum = 0;
            for (int j = 0; j < count; j++) {
                weights[j] = weight((j + first - centre + 0.5) / filterScale);
                sum += weights[j];
            }
            taps.first[i] = first;
            taps.weights[i] = new int[count];
            for (int j = 0; j < count; j++) {
                double fixed = weights[j] / sum * (1 << PRECISION_BITS);
                taps.weights[i][j] = (int) (fixed < 0 ? fixed - 0.5 : fixed + 0.5);
            }
        }
        return taps;
    }

    /// @param first   of each output, the first input it is made of
    /// @param weights of each output, those of its inputs, fixed point
    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Taps(int[] first, int[][] weights) {
        void apply(int output, byte[] in, int from, int step, byte[] out, int to) {
            for (int colour = 0; colour < COLOURS; colour++) {
                int sum = 1 << (PRECISION_BITS - 1);
                int at = from + colour;
                for (int weight : weights[output]) {
                    sum += weight * (in[at] & 0xff);
                    at += step;
                }
                out[to + colour] = (byte) Math.clamp(sum >> PRECISION_BITS, 0, 255);
            }
        }
    }
}
