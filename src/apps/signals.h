// Signals of a long-running command: taken by the main thread alone.
#pragma once

namespace warifu::apps {

// Blocks SIGTERM and SIGINT for this thread and all that it starts later; ignores SIGPIPE. Call
// before any thread is made.
void block_stop_signals();

// Waits until the process is told to stop.
void wait_for_stop_signal();

}  // namespace warifu::apps
