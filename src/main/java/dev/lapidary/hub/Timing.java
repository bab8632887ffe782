package dev.lapidary.hub;

import java.time.Duration;

/// How long to wait for a server, and how often.
///
/// @param connect     for a connection
/// @param answer      for the head of an answer
/// @param stall       for more of its body
/// @param attempts    attempts without any progress
/// @param firstPause  before the second attempt; twice as long before each further one
/// @param longestWait the longest pause, also where a server asks for more
record Timing(
        Duration connect, Duration answer, Duration stall, int attempts, Duration firstPause, Duration longestWait) {
    static final Timing USUAL = new Timing(
            Duration.ofSeconds(15),
            Duration.ofSeconds(60),
            Duration.ofSeconds(60),
            6,
            Duration.ofSeconds(1),
            Duration.ofSeconds(120));
}
