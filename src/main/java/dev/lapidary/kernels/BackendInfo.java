package dev.lapidary.kernels;

import java.nio.file.Path;

/// A backend as people want it described.
///
/// @param name      what was asked for: `onednn`, `openblas`, `mkl`, `cblas`
/// @param library   the file that computes
/// @param version   the library's own words
/// @param core      the CPU the library computes for: its ISA or its name for the microarchitecture
/// @param threads   how many threads it was told to use
/// @param threading whose threads those are
public record BackendInfo(String name, Path library, String version, String core, int threads, String threading) {}
