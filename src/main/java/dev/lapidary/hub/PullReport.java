package dev.lapidary.hub;

/// Tells a [PullListener], from many threads, one at a time.
final class PullReport {
    private final PullListener listener;

    PullReport(PullListener listener) {
        this.listener = listener;
    }

    synchronized void planned(int files, long totalBytes, long heldBytes) {
        listener.planned(files, totalBytes, heldBytes);
    }

    synchronized void received(long bytes) {
        listener.received(bytes);
    }

    synchronized void told(String message) {
        listener.told(message);
    }
}
