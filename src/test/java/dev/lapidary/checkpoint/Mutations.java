package dev.lapidary.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/// Changes to files at random. Each gives the bytes changed in place or a new array.
public final class Mutations {
    /// Integers that break sizes, counts and offsets.
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        7,
        8,
        9,
        31,
        32,
        33,
        255,
        65536,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        1L << 32,
        1L << 40,
        1L << 60,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    /// What a binary format can suffer.
    public static final List<BiFunction<byte[], Random, byte[]>> BINARY = List.of(
            Mutations::flipBit,
            Mutations::setInt32,
            Mutations::setInt64,
            Mutations::cutOut,
            Mutations::repeat,
            Mutations::truncate);

    private static final String[] TOKENS = {
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "null",
        "true",
        "-1",
        "0",
        "1e9",
        "1e99999999999",
        "9223372036854775807",
        "18446744073709551616",
        "\"F32\"",
        "\"BF16\"",
        "\"F4\"",
        "\"shape\"",
        "\"dtype\"",
        "\"data_offsets\"",
        "\"__metadata__\"",
        "\\u0000",
        "\\ud800",
        "\ufeff",
        "\0",
        " ",
        "\n",
        "//",
        "NaN",
        "[[[[[[[[[[[[[[[["
    };
    /// What a text in JSON can suffer, or one that is part of a binary file.
    public static final List<BiFunction<byte[], Random, byte[]>> JSON = List.of(
            Mutations::flipBit,
            Mutations::setDigit,
            Mutations::insertToken,
            Mutations::cutOut,
            Mutations::repeat,
            Mutations::truncate);

    private Mutations() {}

    /// A copy with one to three changes.
    public static byte[] mutated(byte[] bytes, Random random, List<BiFunction<byte[], Random, byte[]>> mutations) {
        byte[] result = bytes.clone();
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            result = mutations.get(random.nextInt(mutations.size())).apply(result, random);
        }
        return result;
    }

    private static byte[] flipBit(byte[] bytes, Random random) {
        if (bytes.length > 0) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }

    private static byte[] setInt32(byte[] bytes, Random random) {
        if (bytes.length >= Integer.BYTES) {
            int at = random.nextInt(bytes.length - Integer.BYTES + 1);
            littleEndian(bytes).putInt(at, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
        }
        return bytes;
    }

    private static byte[] setInt64(byte[] bytes, Random random) {
        if (bytes.length >= Long.BYTES) {
            int at = random.nextInt(bytes.length - Long.BYTES + 1);
            littleEndian(bytes).putLong(at, NUMBERS[random.nextInt(NUMBERS.length)]);
        }
        return bytes;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] setDigit(byte[] bytes, Random random) {
        int[] digits = IntStream.range(0, bytes.length)
                .filter(i -> bytes[i] >= '0' && bytes[i] <= '9')
                .toArray();
        if (digits.length > 0) {
            bytes[digits[random.nextInt(digits.length)]] = (byte) ('0' + random.nextInt(10));
        }
        return bytes;
    }

    private static byte[] insertToken(byte[] bytes, Random random) {
        byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
        int at = random.nextInt(bytes.length + 1);
        return join(Arrays.copyOf(bytes, at), token, Arrays.copyOfRange(bytes, at, bytes.length));
    }

    private static byte[] cutOut(byte[] bytes, Random random) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + random.nextInt(40));
        return join(Arrays.copyOf(bytes, from), Arrays.copyOfRange(bytes, to, bytes.length));
    }

    private static byte[] repeat(byte[] bytes, Random random) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + random.nextInt(80));
        return join(Arrays.copyOf(bytes, to), Arrays.copyOfRange(bytes, from, bytes.length));
    }

    private static byte[] truncate(byte[] bytes, Random random) {
        return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
    }

    static byte[] join(byte[]... parts) {
        ByteBuffer joined = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            joined.put(part);
        }
        return joined.array();
    }
}
