using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>Where a repair puts what it brings back: a store, and the index of the packs that stay, into which the store's packs come.</summary>
internal sealed record RepairStore(SegmentStore Store, SegmentIndex Kept);
