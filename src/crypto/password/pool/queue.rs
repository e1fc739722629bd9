//! The queue of hashes. Each customer's network has a line of its own, and the lines are served in turn, so that a flood
//! from one network does not delay the others.
//!
//! A network may hold as many places as are free: alone it gets half of the queue, and another half of what is left.
//! So a network that holds none finds a place (the dynamic thresholds of Choudhury and Hahne, 1998).

use std::collections::{HashMap, VecDeque};

use super::Job;
use crate::domain::Network;

pub(super) struct Queue {
    limit: usize,
    lines: HashMap<Network, Line>,
    /// The networks with jobs, in the order in which they are served.
    turns: VecDeque<Network>,
    /// Jobs and reserved places in all lines.
    taken: usize,
    /// Jobs in all lines.
    waiting: usize,
    closed: bool,
}

/// The places of one network.
#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    reserved: usize,
}

impl Line {
    fn places(&self) -> usize {
        self.jobs.len() + self.reserved
    }
}

impl Queue {
    /// With so many places.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            taken: 0,
            waiting: 0,
            closed: false,
        }
    }

    /// Reserves a place; `false` when the queue or the network's share is full.
    pub fn reserve(&mut self, network: Network) -> bool {
        if !self.has_room(network) {
            self.drop_abandoned();
        }
        let has_room = self.has_room(network);
        if has_room {
            self.lines.entry(network).or_default().reserved += 1;
            self.taken += 1;
        }
        has_room
    }

    /// Gives a reserved place back.
    pub fn release(&mut self, network: Network) {
        if let Some(line) = self.lines.get_mut(&network) {
            line.reserved -= 1;
            self.taken -= 1;
            self.forget_if_empty(network);
        }
    }

    /// Adds a job. A request that has begun is not refused halfway: its later jobs have no reserved place, and are added
    /// beyond the limit. Each follows one that left the queue.
    pub fn push(&mut self, network: Network, job: Job, is_reserved: bool) {
        let line = self.lines.entry(network).or_default();
        if is_reserved {
            line.reserved -= 1;
        } else {
            self.taken += 1;
        }
        if line.jobs.is_empty() {
            self.turns.push_back(network);
        }
        line.jobs.push_back(job);
        self.waiting += 1;
    }

    /// The next job of the network whose turn it is.
    pub fn pop(&mut self) -> Option<Job> {
        let network = self.turns.pop_front()?;
        let line = self.lines.get_mut(&network)?;
        let job = line.jobs.pop_front()?;
        if !line.jobs.is_empty() {
            self.turns.push_back(network);
        }
        self.taken -= 1;
        self.waiting -= 1;
        self.forget_if_empty(network);
        Some(job)
    }

    /// Jobs and reserved places.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Jobs.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The places.
    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn close(&mut self) {
        self.closed = true;
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn has_room(&self, network: Network) -> bool {
        let free = self.limit.saturating_sub(self.taken);
        let held = self.lines.get(&network).map_or(0, Line::places);
        held < free
    }

    /// Jobs whose callers have gone take no place.
    fn drop_abandoned(&mut self) {
        for line in self.lines.values_mut() {
            line.jobs.retain(|job| !job.reply.is_closed());
        }
        self.lines.retain(|_, line| line.places() > 0);
        let lines = &self.lines;
        self.turns
            .retain(|network| lines.get(network).is_some_and(|line| !line.jobs.is_empty()));
        self.waiting = lines.values().map(|line| line.jobs.len()).sum();
        self.taken = lines.values().map(Line::places).sum();
    }

    fn forget_if_empty(&mut self, network: Network) {
        if self
            .lines
            .get(&network)
            .is_some_and(|line| line.places() == 0)
        {
            self.lines.remove(&network);
        }
    }
}
