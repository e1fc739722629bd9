//! Requests by route, method and status. Each worker has counters of its own, so that workers do not write to the same
//! memory; a scrape adds them.
//!
//! # Threats
//! - memory: routes, methods and statuses are those of the tables below and of the route table; what a client invents is
//!   counted as [`OTHER`]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::instruments::{Counter, Distribution, Histogram};

/// The label of a route, a method or a status that is not in the tables.
pub const OTHER: &str = "other";

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", OTHER,
];

/// The statuses of this server, and 499 for a client that disconnected before the response.
const STATUSES: [u16; 28] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410,
    413, 415, 422, 426, 429, 499, 500, 501, 503,
];

/// The place of each status in [`STATUSES`], from 100 on.
const PLACES: [u8; 500] = places();

const fn places() -> [u8; 500] {
    let mut places = [STATUSES.len() as u8; 500];
    let mut place = 0;
    while place < STATUSES.len() {
        places[STATUSES[place] as usize - 100] = place as u8;
        place += 1;
    }
    places
}

/// The requests of all workers.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Vec<Arc<WorkerRequests>>>);

/// The requests of one worker.
#[derive(Debug)]
pub struct WorkerRequests {
    /// For each route of the table and one more, each of [`METHODS`]; made at the first request.
    series: Box<[OnceLock<Box<Series>>]>,
}

#[derive(Debug)]
struct Series {
    statuses: [Counter; STATUSES.len() + 1],
    durations: Histogram,
}

/// The requests of one route and method.
#[derive(Debug)]
pub struct Summed {
    /// The number of the route in the table; the one above the last for all others.
    pub route: usize,
    /// The method.
    pub method: &'static str,
    /// How many had each status, as far as there are any.
    pub statuses: Vec<(Option<u16>, u64)>,
    /// How long they took, in nanoseconds.
    pub durations: Distribution,
}

impl Requests {
    /// Counters for another worker, with so many routes.
    pub fn add_worker(&self, routes: usize) -> Arc<WorkerRequests> {
        let series = (0..(routes + 1) * METHODS.len()).map(|_| OnceLock::new());
        let worker = Arc::new(WorkerRequests {
            series: series.collect(),
        });
        self.0.lock().push(Arc::clone(&worker));
        worker
    }

    /// The sums of all workers, where there were requests.
    pub fn get(&self) -> Vec<Summed> {
        let workers = self.0.lock().clone();
        let places = workers.iter().map(|worker| worker.series.len()).max();
        let sums = (0..places.unwrap_or(0)).filter_map(|place| {
            let of_workers = workers.iter().filter_map(|it| it.series.get(place)?.get());
            sum(place, of_workers.map(|series| &**series))
        });
        sums.collect()
    }
}

fn sum<'s>(place: usize, of_workers: impl Iterator<Item = &'s Series>) -> Option<Summed> {
    let (mut counts, mut durations) = ([0; STATUSES.len() + 1], None::<Distribution>);
    for series in of_workers {
        for (count, more) in counts.iter_mut().zip(&series.statuses) {
            *count += more.get();
        }
        let more = series.durations.get();
        match &mut durations {
            Some(sum) => sum.add(&more),
            None => durations = Some(more),
        }
    }
    let named = STATUSES.into_iter().map(Some).chain([None]);
    Some(Summed {
        route: place / METHODS.len(),
        method: METHODS[place % METHODS.len()],
        statuses: named.zip(counts).filter(|(_, count)| *count > 0).collect(),
        durations: durations?,
    })
}

impl WorkerRequests {
    /// Counts a request; `route` is the number in the table.
    pub fn count(&self, route: Option<usize>, method: &str, status: u16, took: Duration) {
        let routes = self.series.len() / METHODS.len() - 1;
        let route = route.unwrap_or(routes).min(routes);
        let method = METHODS.iter().position(|known| *known == method);
        let place = route * METHODS.len() + method.unwrap_or(METHODS.len() - 1);
        let series = self.series[place].get_or_init(|| {
            Box::new(Series {
                statuses: std::array::from_fn(|_| Counter::default()),
                durations: Histogram::new(Histogram::DURATIONS),
            })
        });
        let status = usize::from(status).checked_sub(100);
        let status = status.and_then(|status| PLACES.get(status));
        let status = status.map_or(STATUSES.len(), |place| usize::from(*place));
        series.statuses[status].increment();
        series.durations.observe_duration(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_and_inventions_share_one_series() {
        let requests = Requests::default();
        let (one, two) = (requests.add_worker(2), requests.add_worker(2));
        let took = Duration::from_millis(3);
        one.count(Some(1), "GET", 200, took);
        two.count(Some(1), "GET", 200, took);
        two.count(Some(1), "GET", 404, took);
        for number in 0..1000_u16 {
            one.count(None, &format!("M{number}"), number, took);
        }
        let [listed, others] = &requests.get()[..] else {
            panic!("two series");
        };
        assert_eq!((listed.route, listed.method), (1, "GET"));
        assert_eq!(listed.statuses, [(Some(200), 2), (Some(404), 1)]);
        assert_eq!(
            (listed.durations.count(), listed.durations.sum),
            (3, 9_000_000)
        );
        assert_eq!((others.route, others.method), (2, OTHER));
        assert_eq!(others.statuses.len(), STATUSES.len() + 1);
        let unlisted = 1000 - STATUSES.len() as u64;
        assert_eq!(others.statuses.last(), Some(&(None, unlisted)));
        assert_eq!(others.durations.count(), 1000);
    }
}
