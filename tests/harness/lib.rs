//! What tests of more than one node share.
