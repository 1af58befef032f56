using Evidence.Hashing;
using Xunit;

namespace Evidence.Tests;

/// <summary>A room imports only from lower floors, and siblings do not import each other: as compiled, method bodies included.</summary>
public sealed class FloorTests
{
    /// <summary>The rooms, and what each may use. Whatever is in no room of this list fails.</summary>
    private static readonly Dictionary<string, string[]> Floors = new(StringComparer.Ordinal)
    {
        ["Platform"] = [],
        ["Canonical"] = [],
        ["Hashing"] = ["Platform", "Canonical"],
        ["Sources"] = ["Platform", "Canonical"],
        ["Segments"] = ["Platform", "Canonical", "Hashing", "Sources"],
        ["Rescue"] = ["Platform", "Canonical", "Hashing", "Sources"],
        ["Ledger"] = ["Platform", "Canonical", "Hashing", "Sources"],
        ["Vaults"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger"],
        ["Acquisition"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Rescue", "Ledger", "Vaults"],
        ["Preservation"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults"],
        ["Formats"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Rescue", "Ledger", "Vaults"],
        ["Repair"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults"],
        ["Proofs"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults"],
        ["Verification"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults"],
        // Above the others: what is measured is whole acquisitions, too.
        ["Measurement"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults", "Acquisition"],
        // Above the others: what is taken out of a mounted image is proved.
        ["Files"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults", "Formats", "Proofs"],
        // Above the others: whoever receives a replica verifies it, and then signs.
        ["Replication"] = ["Platform", "Canonical", "Hashing", "Sources", "Segments", "Ledger", "Vaults", "Verification"],
    };

    /// <summary>What makes or changes a vault. Who verifies one must not be able to.</summary>
    private static readonly string[] Writers =
    [
        "Evidence.Vaults.PackWriter", "Evidence.Vaults.VaultDocuments", "Evidence.Vaults.VaultOpenings", "Evidence.Vaults.SegmentStore", "Evidence.Vaults.StagingFolder", "Evidence.Acquisition.MapBuilder",
        "Evidence.Acquisition.Acquirer", "Evidence.Ledger.LedgerWriter", "Evidence.Ledger.BatchCommitter", "Evidence.Ledger.LogKeys",
        "Evidence.Ledger.Witnesses.WitnessedNotes", "Evidence.Ledger.Witnesses.WitnessExchange", "Evidence.Ledger.Witnesses.WitnessKey",
    ];

    private static readonly Type[] All =
        [.. typeof(Sha256Digest).Assembly.GetTypes().Where(t => t.Namespace?.StartsWith("Evidence", StringComparison.Ordinal) == true)];

    public static TheoryData<string> Rooms => [.. All.Select(RoomOf).OfType<string>().Distinct(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_uses_only_rooms_on_lower_floors(string room)
    {
        Assert.True(Floors.ContainsKey(room), $"{room} is on no floor");
        var wrong = All.Where(t => RoomOf(t) == room)
            .SelectMany(t => ReferenceWalker.Of(t).Select(used => (Type: t, Used: used)))
            .Where(r => RoomOf(r.Used) is { } other && other != room && !Floors[room].Contains(other, StringComparer.Ordinal))
            .Select(r => $"{r.Type.FullName} uses {r.Used.FullName}")
            .Order(StringComparer.Ordinal);
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_root_uses_no_room_but_that_a_log_message_may_name_a_digest()
    {
        var wrong = All.Where(t => t.Namespace == "Evidence")
            .SelectMany(t => ReferenceWalker.Of(t).Select(used => (Type: t, Room: RoomOf(used))))
            .Where(r => r.Room is not null && !(OutermostOf(r.Type).Name == "Log" && r.Room == "Hashing"))
            .Select(r => $"{r.Type.FullName} uses {r.Room}");
        Assert.Empty(wrong);
    }

    [Fact]
    public void Verification_uses_nothing_that_writes()
    {
        Assert.All(Writers, name => Assert.NotNull(typeof(Sha256Digest).Assembly.GetType(name)));
        var wrong = All.Where(t => RoomOf(t) == "Verification")
            .SelectMany(t => ReferenceWalker.Of(t).Select(used => (Type: t, Used: OutermostOf(used))))
            .Where(r => Writers.Contains(r.Used.FullName, StringComparer.Ordinal))
            .Select(r => $"{r.Type.FullName} uses {r.Used.FullName}");
        Assert.Empty(wrong);
    }

    /// <summary>The check must be able to fail: turned round, the floors do not hold.</summary>
    [Fact]
    public void The_references_that_there_are_meant_to_be_are_seen()
    {
        Assert.Contains(All.Where(t => RoomOf(t) == "Acquisition").SelectMany(ReferenceWalker.Of), t => RoomOf(t) == "Vaults");
        Assert.Contains(All.Where(t => RoomOf(t) == "Acquisition").SelectMany(ReferenceWalker.Of), t => t.FullName == "Evidence.Vaults.SegmentStore");
        Assert.Contains(All.Where(t => RoomOf(t) == "Segments").SelectMany(ReferenceWalker.Of), t => RoomOf(t) == "Hashing");
    }

    private static string? RoomOf(Type type) =>
        type.Assembly == typeof(Sha256Digest).Assembly && type.Namespace?.Split('.') is ["Evidence", var room, ..] ? room : null;

    private static Type OutermostOf(Type type) => type.DeclaringType is { } outer ? OutermostOf(outer) : type;
}
