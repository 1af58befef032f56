using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>Where a segment lies.</summary>
/// <param name="Pack">The pack's name.</param>
/// <param name="Offset">The offset of the record's header in it, in bytes.</param>
/// <param name="StoredLength">The number of stored bytes behind the header.</param>
/// <param name="ContentLength">The length of its content.</param>
internal readonly record struct SegmentLocation(Sha256Digest Pack, long Offset, int StoredLength, int ContentLength);
