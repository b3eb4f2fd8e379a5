//! Searches and questions to the graph of a collection, alone or followed into the others of its database.

use crate::base::Result;
use crate::base::sync::lock;
use crate::collection::{
    GraphAnswer, GraphOptions, GraphQuestion, Others, SearchRequest, SearchResponse, check_searches,
};
use crate::segment::Scratch;

use super::among::{Among, Neighbours};
use super::collection::CollectionHandle;

/// As the core sees them.
fn seen<'a>(others: Option<&'a Neighbours<'_>>) -> Option<&'a dyn Others> {
    others.map(|others| others as &dyn Others)
}

impl CollectionHandle {
    /// Searches. When the collection names an embedder, a text without a vector is searched by both. Its graph is that of
    /// this collection alone.
    ///
    /// # Errors
    /// As [`View::search`](crate::collection::View::search); `no_embedder`, `closed`.
    pub fn search(&self, request: SearchRequest) -> Result<SearchResponse> {
        self.search_among(None, request)
    }

    /// As [`CollectionHandle::search`], with a graph that is followed into other collections.
    ///
    /// # Errors
    /// As [`CollectionHandle::search`] and [`View::ask_graph_among`](crate::collection::View::ask_graph_among).
    pub fn search_among(
        &self,
        among: Option<Among<'_>>,
        mut request: SearchRequest,
    ) -> Result<SearchResponse> {
        let (view, moment) = self.at(request.as_of)?;
        request.check()?;
        self.embedding.ask(self.name(), &view.config, &mut request)?;
        let others = among.map(|among| self.neighbours(among));
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let response = view.search_among(seen(others.as_ref()), &request, moment, &mut scratch);
        lock(&self.scratch).push(scratch);
        response
    }

    /// Searches for many at once, all in one state and each on a thread that is free; answers in the order of the
    /// requests. The first that is refused refuses all. Their graph is that of this collection alone.
    ///
    /// # Errors
    /// As [`CollectionHandle::search`]; `too_large` for more requests, or results in all, than are answered at once.
    pub fn search_many(&self, requests: Vec<SearchRequest>) -> Result<Vec<SearchResponse>> {
        self.search_many_among(None, requests)
    }

    /// As [`CollectionHandle::search_many`], with a graph that is followed into other collections. Those that may be
    /// followed there are made one after another, as opening a collection takes the threads that they are made on.
    ///
    /// # Errors
    /// As [`CollectionHandle::search_many`] and [`View::ask_graph_among`](crate::collection::View::ask_graph_among).
    pub fn search_many_among(
        &self,
        among: Option<Among<'_>>,
        mut requests: Vec<SearchRequest>,
    ) -> Result<Vec<SearchResponse>> {
        check_searches(&mut requests)?;
        let (view, now) = (self.view()?, self.clock().now_ns());
        let mut moments = Vec::with_capacity(requests.len());
        for request in &mut requests {
            moments.push(view.moment(request.as_of, now)?);
            request.check()?;
            self.embedding.ask(self.name(), &view.config, request)?;
        }
        let mut others = among.map(|among| self.neighbours(among));
        let leads_elsewhere = others.is_some() && view.leads_elsewhere()?;
        let follows: Vec<bool> =
            requests.iter().map(|request| others.is_some() && request.follows(leads_elsewhere)).collect();
        let search = |scratch: &mut Scratch, i: usize| {
            let is_alone = !follows[i];
            is_alone.then(|| view.search(&requests[i], moments[i], scratch)).transpose()
        };
        let found = self.pool.map_with(requests.len(), Scratch::default, search);
        let mut scratch = Scratch::default();
        let follow = |(i, found): (usize, Result<Option<SearchResponse>>)| match found? {
            Some(found) => Ok(found),
            None => {
                others.iter_mut().for_each(Neighbours::let_go_of_many);
                view.search_among(seen(others.as_ref()), &requests[i], moments[i], &mut scratch)
            }
        };
        found.into_iter().enumerate().map(follow).collect()
    }

    fn neighbours<'a>(&'a self, among: Among<'a>) -> Neighbours<'a> {
        Neighbours::new(self, self.database.upgrade(), among)
    }

    /// Asks the graph of this collection alone.
    ///
    /// # Errors
    /// As [`View::ask_graph`](crate::collection::View::ask_graph); `cancelled` for components, `closed`.
    pub fn ask_graph(&self, question: &GraphQuestion, options: &GraphOptions) -> Result<GraphAnswer> {
        self.ask_graph_among(None, question, options)
    }

    /// Asks the graph, which is followed into other collections.
    ///
    /// # Errors
    /// As [`View::ask_graph_among`](crate::collection::View::ask_graph_among); `cancelled` for components, `closed`.
    pub fn ask_graph_among(
        &self,
        among: Option<Among<'_>>,
        question: &GraphQuestion,
        options: &GraphOptions,
    ) -> Result<GraphAnswer> {
        if *question == GraphQuestion::Components {
            return self.components(options);
        }
        let others = among.map(|among| self.neighbours(among));
        self.view()?.ask_graph_among(seen(others.as_ref()), question, options, self.clock().now_ns())
    }
}
