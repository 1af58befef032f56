using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Tests.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>What is put on a vault's record, and what is refused before it gets there.</summary>
public sealed class DocketWriterTests : IDisposable
{
    private readonly TestVault place = new();
    private readonly Vault vault;

    public DocketWriterTests()
    {
        vault = place.Create();
        new DocketWriter(vault).Add(new PartyStatement("counsel", PartyRole.Counsel, "Counsel", null, null, "Etc/UTC", null, null));
    }

    public void Dispose()
    {
        vault.Dispose();
        place.Dispose();
    }

    [Fact]
    public void An_act_about_more_assets_than_an_entry_has_room_for_is_several_and_stays_one()
    {
        string[] assets = Declare(AssetList.MostInOneEntry + 10);
        IReadOnlyList<long> hold = Hold(assets);
        Assert.Equal(2, hold.Count);
        IReadOnlyList<long> again = Hold(assets);
        Docket docket = Read();
        foreach (long entry in hold)
        {
            IReadOnlyList<Recorded<HoldStatement>> parts = docket.PartsOf((Recorded<HoldStatement>)docket.FindAct(entry)!);
            Assert.Equal(hold, parts.Select(part => part.Entry));
            Assert.Equal(assets, parts.SelectMany(part => part.Items).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        }

        Assert.Equal(again, docket.PartsOf((Recorded<HoldStatement>)docket.FindAct(again[1])!).Select(part => part.Entry));

        // Whichever of the entries is named, all of it is let go; or what is named of it, by the entry that it is in.
        IReadOnlyList<long> released = new DocketWriter(vault).Release(hold[1], null, "counsel", null, null);
        Assert.Equal(2, released.Count);
        Assert.Equal(assets, released.SelectMany(Items).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(hold.Select(Leaf), released.Select(entry => ((Recorded<ReleaseStatement>)Read().FindAct(entry)!).Statement.Target));
        long one = Assert.Single(new DocketWriter(vault).Release(hold[0], [assets[^1]], "counsel", null, null));
        Assert.Equal([assets[^1]], Items(one));
        Assert.Equal(Leaf(hold[1]), ((Recorded<ReleaseStatement>)Read().FindAct(one)!).Statement.Target);
    }

    [Fact]
    public void An_objection_to_one_entry_of_a_notice_is_about_all_of_it_and_is_overruled_for_all_of_it()
    {
        string[] assets = Declare(AssetList.MostInOneEntry + 10);
        GateMaterial material = GateMaterial.Of(vault, Read());
        using (var document = new MemoryStream(PreservationPolicy.DefaultDocument.ToArray()))
            _ = vault.Documents.Add(document);
        SentNotice sent = Assert.Single(new DocketWriter(vault).Send(
            ["counsel"], assets, "to be wiped", null, Scene.Begin, new NoticeTerm(1, 5, WindowUnit.Working, default), PreservationPolicy.Default, material));
        // On a machine of its own the party has the file of one entry, and no other.
        long part = sent.Entries[1];
        string origin = Read().Ledger.Checkpoint.Origin;
        ResponseStatement Objection(string words) => new(ResponseAct.Objection, "counsel", origin, Leaf(part), null, words, null);
        long some = vault.Ledger.RecordAll([DocketWriter.New([assets[^1]], Objection("this one"))])!.Value;
        long objection = vault.Ledger.RecordAll([DocketWriter.New(Items(part), Objection("No."))])!.Value;
        Assert.Equal([some, objection], ObjectionsTo(assets[^1]));
        Assert.Equal([objection], ObjectionsTo(assets[^2]));
        Assert.Equal([objection], ObjectionsTo(assets[0]));

        IReadOnlyList<long> released = new DocketWriter(vault).Release(objection, null, "counsel", null, null);
        Assert.Equal(assets, released.SelectMany(Items).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal([assets[0]], Items(Assert.Single(new DocketWriter(vault).Release(objection, [assets[0]], "counsel", null, null))));
        Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Release(some, [assets[0]], "counsel", null, null));
    }

    /// <summary>By the whole ledger, and by the index.</summary>
    private long[] ObjectionsTo(string asset)
    {
        Docket whole = Read();
        long[] found = [.. whole.ObjectionsTo(whole.Assets[asset]).Select(objection => objection.Entry)];
        Docket one = Docket.ReadFor(vault, asset, TestVault.Stop);
        Assert.Equal(found, one.ObjectionsTo(one.Assets[asset]).Select(objection => objection.Entry));
        return found;
    }

    [Fact]
    public void A_policy_whose_approvers_go_by_one_name_is_refused()
    {
        string[] ids = [.. ((string[])["bob", "carol"]).Select(name =>
        {
            // The name is what a key calls itself, whatever its owner calls the file.
            using ActorKey key = place.Keys.LoadOrCreateActor(name);
            vault.Ledger.TakeIn([LedgerFixture.Declare(key, name == "bob" ? "root" : "Root", Scene.Begin)]);
            return key.Id;
        })];
        byte[] document = PreservationPolicy.FillIn("Same", [Sha256Digest.Compute("root"u8)], ids).ToArray();
        var e = Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Propose(document));
        Assert.Contains("go by one name in this ledger, 'Root'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_in_an_act_is_not_let_go_of_it()
    {
        string[] assets = Declare(3);
        long hold = Assert.Single(Hold(assets[..2]));
        var e = Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Release(hold, [assets[2]], "counsel", null, null));
        Assert.Contains($"'{assets[2]}'", e.Message, StringComparison.Ordinal);
        Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Release(hold + 1, null, "counsel", null, null));
        Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Release(hold, null, "nobody", null, null));
    }

    [Theory]
    [InlineData("SN-1", null)]
    [InlineData("WD-1", null)]
    [InlineData("SN-2", "WD-1")]
    [InlineData("SN-2", "SN-1")]
    public void A_machine_has_one_name_and_a_disk_one_machine(string serial, string? disk)
    {
        var first = new AssetDeclaration("server-1", ["SN-1"], [new AssetDisk("server-1/sda", "WD-1", null)], null, ["counsel"]);
        var second = new AssetDeclaration("spare-1", [serial], [new AssetDisk("spare-1/sda", disk, null)], null, []);
        Assert.Contains("'spare-1'", Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Declare([first, second])).Message, StringComparison.Ordinal);
        long entry = Assert.Single(new DocketWriter(vault).Declare([first]));
        var e = Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Declare([second]));
        Assert.Equal(ErrorCode.DocketInvalid, e.Code);
        Assert.Contains($"'server-1', by entry {entry}", e.Message, StringComparison.Ordinal);
        // It itself can be said more of.
        Assert.Single(new DocketWriter(vault).Declare([first with { Rack = "B" }]));
    }

    [Fact]
    public void What_is_known_already_is_not_new()
    {
        string[] assets = Declare(2);
        var writer = new DocketWriter(vault);
        AssetDeclaration same = Declaration(assets[0]);
        Assert.Empty(writer.WithoutKnown([same]));
        Assert.Single(writer.WithoutKnown([same, Declaration(assets[1]) with { Parties = ["counsel"] }]));
        Assert.Single(writer.WithoutKnown([same with { Rack = "A1" }]));
        Assert.Single(writer.WithoutKnown([same with { Disks = [.. same.Disks, new AssetDisk("more", null, null)] }]));
        Assert.Single(writer.WithoutKnown([Declaration("another")]));
    }

    [Fact]
    public void Another_machine_or_disk_of_the_same_name_is_refused()
    {
        string[] assets = Declare(1);
        var writer = new DocketWriter(vault);
        AssetDeclaration same = Declaration(assets[0]);
        foreach ((AssetDeclaration wrong, string why) in ((AssetDeclaration, string)[])
        [
            (same with { Serials = ["SN-other"] }, "with the serials"),
            (same with { Disks = [same.Disks[0] with { Serial = "W9" }] }, "with another serial or size"),
            (same with { Parties = ["nobody"] }, "no party 'nobody'"),
            (same with { Asset = " x" }, "no name that can be one"),
            (Declaration("other") with { Disks = same.Disks }, "is on the record as one of"),
        ])
        {
            long before = vault.Ledger.Open().Size;
            Assert.Contains(why, Assert.Throws<EvidenceException>(() => writer.Declare([Declaration("fresh"), wrong])).Message, StringComparison.Ordinal);
            Assert.Equal(before, vault.Ledger.Open().Size);
        }

        Assert.Contains("given twice", Assert.Throws<EvidenceException>(() => writer.Declare([same, same])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_requests_cannot_approve()
    {
        string[] assets = Declare(1);
        long request = Assert.Single(new DocketWriter(vault).Request(assets, "why not"));
        Assert.Contains("cannot approve it", Assert.Throws<EvidenceException>(() => new DocketWriter(vault).Approve(request, null)).Message, StringComparison.Ordinal);
        place.Keys.LoadOrCreateActor("bob").Dispose();
        using var bobs = Vault.Open(place.Folder, place.Access with { Actor = "bob" });
        long approval = Assert.Single(new DocketWriter(bobs).Approve(request, null));
        Assert.Equal("bob", Read().FindAct(approval)!.Signer.Name);
        Assert.Equal(assets, Items(approval));
    }

    private string[] Declare(int count)
    {
        string[] assets = [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"s-{i:d4}"))];
        _ = new DocketWriter(vault).Declare([.. assets.Select(Declaration)]);
        return assets;
    }

    private static AssetDeclaration Declaration(string asset) => new(asset, [$"SN-{asset}"], [new AssetDisk($"{asset}/sda", $"WD-{asset}", null)], null, []);

    private IReadOnlyList<long> Hold(string[] assets) =>
        new DocketWriter(vault).Place(assets, list => new HoldStatement("counsel", HoldForm.Letter, "a letter", null, "all", list, null, null));

    private Docket Read() => Docket.Read(vault.Ledger.Open(), cancellation: TestVault.Stop);

    private IReadOnlyList<string> Items(long entry) => Read().FindAct(entry)!.Items;

    private Sha256Digest Leaf(long entry) => LedgerEntry.Parse(vault.Ledger.Open().ReadEntry(entry)).LeafHash;
}
