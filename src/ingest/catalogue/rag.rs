//! Retrieval-augmented generation: how well and how fast it finds and embeds.

use super::{Known, LATENCY_SECONDS, Pack};
use crate::model::Category;

pub(super) const METRICS: &[Known] = &[
    Known::gauge("rag_search_accuracy_ratio", "ratio", &["index", "model"], "Share of searches that found what was right, 0 to 1.")
        .of(Category::Rag, Pack::Rag),
    Known::histogram("rag_search_duration_seconds", LATENCY_SECONDS, &["index", "model"], "Time of a search from question to passages.")
        .of(Category::Rag, Pack::Rag),
    Known::gauge("rag_recommendation_relevance_ratio", "ratio", &["model"], "How relevant recommendations are, 0 to 1.").of(Category::Rag, Pack::Rag),
    Known::gauge("rag_knowledge_base_coverage_ratio", "ratio", &["index"], "Share of questions that the knowledge base covers, 0 to 1.")
        .of(Category::Rag, Pack::Rag),
    Known::gauge("rag_query_complexity_score", "", &["index"], "How complex questions are, by the application's own score.").of(Category::Rag, Pack::Rag),
    Known::histogram("rag_embedding_duration_seconds", LATENCY_SECONDS, &["model"], "Time to make an embedding.").of(Category::Rag, Pack::Rag),
    Known::histogram("rag_vector_search_duration_seconds", LATENCY_SECONDS, &["index"], "Time of a search among vectors.").of(Category::Rag, Pack::Rag),
];
