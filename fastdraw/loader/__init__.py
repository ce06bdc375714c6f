"""Batches of images, for any training loop.

An epoch is one pass over the drawings of a shard, in batches. The sampler chooses the indices in each batch, a source
draws or reads their images, and the pipeline combines the two, a group of batches at a time. `fastdraw.batches` and
`fastdraw.to_tf_dataset` deliver the batches. Each iterator over them continues with the next epochs.
"""
