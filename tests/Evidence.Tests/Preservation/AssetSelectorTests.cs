using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>A selector chooses just what it says, and what was mistyped chooses nothing silently.</summary>
public sealed class AssetSelectorTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Docket docket;

    public AssetSelectorTests()
    {
        var scene = new Scene();
        scene.Party("customer", PartyRole.Customer);
        foreach ((string asset, string? rack, string[] parties) in ((string, string?, string[])[])
            [("a-1", "A1", ["customer"]), ("a-2", "A2", []), ("b-1", "B1", ["customer"]), ("b-10", null, []), ("b,odd*", "B2", []), ("all", null, []), ("x*y", null, []), ("xzy", null, [])])
        {
            scene.Say("keeper", [asset], new AssetDeclaration(asset, [$"SN-{asset}"], [], rack, parties));
        }

        // Named by an entry, and declared by none.
        scene.Say("keeper", ["ghost"], new ClearanceRequest(AssetList.Of(["ghost"]), null));
        docket = scene.Docket();
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("a-1", "a-1")]
    [InlineData("b-1,a-1, b-1", "a-1 b-1")]
    [InlineData("a-*", "a-1 a-2")]
    [InlineData("?-1", "a-1 b-1")]
    [InlineData("b-1?", "b-10")]
    [InlineData("rack=A*", "a-1 a-2")]
    [InlineData("rack=B2,rack=A1", "a-1 b,odd*")]
    [InlineData("party=customer", "a-1 b-1")]
    [InlineData("all", "a-1 a-2 all b,odd* b-1 b-10 x*y xzy")]
    [InlineData("*", "a-1 a-2 all b,odd* b-1 b-10 x*y xzy")]
    [InlineData("x*y", "x*y xzy")]
    [InlineData(@"x\*y", "x*y")]
    public void It_chooses(string selector, string chosen) => Assert.Equal(chosen.Split(' '), AssetSelector.Parse(selector).Resolve(docket));

    [Theory]
    [InlineData("a-1,c-1", "'c-1'")]
    [InlineData("A-1", "'A-1'")]
    [InlineData("rack=C*", "'rack=C*'")]
    [InlineData("party=nobody", "no party 'nobody'")]
    [InlineData("ghost", "'ghost'")]
    [InlineData("gh*", "'gh*'")]
    public void What_finds_nothing_is_an_error_also_beside_what_does(string selector, string why)
    {
        var e = Assert.Throws<EvidenceException>(() => AssetSelector.Parse(selector).Resolve(docket));
        Assert.Equal(ErrorCode.DocketInvalid, e.Code);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a-1,,b-1")]
    [InlineData("@")]
    [InlineData("rack=")]
    [InlineData("party=")]
    public void What_is_no_selector_is_refused(string selector) =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => AssetSelector.Parse(selector)).Code);

    [Fact]
    public void A_file_names_assets_as_they_are_called()
    {
        string path = Write("b,odd*\r\n\nall\n");
        Assert.Equal(["all", "b,odd*"], AssetSelector.Parse("@" + path).Resolve(docket));
        Assert.Equal(["a-1", "all", "b,odd*"], AssetSelector.Parse($"@{path},a-1").Names());
        var e = Assert.Throws<EvidenceException>(() => AssetSelector.Parse("@" + Write("a-1\na-9\n")).Resolve(docket));
        Assert.Contains("'a-9'", e.Message, StringComparison.Ordinal);
        Assert.Throws<EvidenceException>(() => AssetSelector.Parse("@" + Write("\n")).Resolve(docket));
        Assert.Throws<EvidenceException>(() => AssetSelector.Parse("@" + Path.Combine(folder.Path, "none")).Resolve(docket));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("a-*")]
    [InlineData("a-1,rack=A1")]
    [InlineData("party=customer")]
    public void Without_a_ledger_only_names_can_be_resolved(string selector) =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => AssetSelector.Parse(selector).Names()).Code);

    private string Write(string text)
    {
        string path = Path.Combine(folder.Path, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, text);
        return path;
    }
}
