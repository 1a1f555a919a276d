//! Several requests at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// No more requests run at once: one connection pool, and BigQuery's limit for a user is far above it.
pub(super) const AT_ONCE: usize = 4;

/// Something that is waited for.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Runs futures side by side, at most [`AT_ONCE`], and returns what they came to, in their order.
pub(super) async fn all<'a, T>(futures: Vec<Work<'a, T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let mut waiting = futures.into_iter().enumerate();
    let mut running: Vec<(usize, Work<'a, T>)> = waiting.by_ref().take(AT_ONCE).collect();
    poll_fn(|context| {
        let mut at = 0;
        while at < running.len() {
            let (place, future) = &mut running[at];
            match future.as_mut().poll(context) {
                Poll::Ready(result) => {
                    results[*place] = Some(result);
                    drop(running.swap_remove(at));
                    running.extend(waiting.next());
                }
                Poll::Pending => at += 1,
            }
        }
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[test]
    fn at_most_four_run_at_once_and_the_results_keep_their_order() {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let work = (0..10_u64).map(|at| {
            let (running, most) = (&running, &most);
            Box::pin(async move {
                running.set(running.get() + 1);
                most.set(most.get().max(running.get()));
                tokio::time::sleep(Duration::from_millis(10 - at)).await;
                running.set(running.get() - 1);
                at
            }) as Work<'_, u64>
        });
        let done = runtime.block_on(all(work.collect()));
        assert_eq!(done, (0..10).collect::<Vec<_>>());
        assert_eq!(most.get(), AT_ONCE);
    }
}
