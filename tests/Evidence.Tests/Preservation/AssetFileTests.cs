using System.Text;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>What an inventory lists comes in as it stands there, and what is wrong with it is told with its line and column.</summary>
public sealed class AssetFileTests : IDisposable
{
    private const string Header = "asset,serials,disks,rack,parties\n";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Each_line_is_an_asset()
    {
        IReadOnlyList<AssetDeclaration> assets = Read("\uFEFFAsset,Parties,serials,disks\r\n\"a, b\",counsel; customer,SN-1;SN-2,\"a/sda,serial=W1,size=512;a/sdb\"\r\n\r\nc,,SN-3,\r\n");
        Assert.Equal(2, assets.Count);
        Assert.Equal("a, b", assets[0].Asset);
        Assert.Equal(["SN-1", "SN-2"], assets[0].Serials);
        Assert.Equal(["counsel", "customer"], assets[0].Parties);
        Assert.Equal([new AssetDisk("a/sda", "W1", 512), new AssetDisk("a/sdb", null, null)], assets[0].Disks);
        Assert.Null(assets[0].Rack);
        Assert.Equal("c", assets[1].Asset);
        Assert.Empty(assets[1].Disks);
        Assert.Empty(assets[1].Parties);
    }

    [Theory]
    [InlineData("asset,owner\na,b\n", "line 1: the column 'owner'")]
    [InlineData("serials\nSN\n", "line 1: it must name")]
    [InlineData("asset,asset\na,b\n", "line 1: it must name")]
    [InlineData(Header + "a,S,,,\nb,S,,\n", "line 3: it has 4 cells")]
    [InlineData(Header + "a,S,,,\n,S,,,\n", "line 3, column 'asset'")]
    [InlineData(Header + "\na,S;S,,,\n", "line 3, column 'serials'")]
    [InlineData(Header + "a,S,a/sda;a/sda,,\n", "line 2, column 'disks'")]
    [InlineData(Header + "a,S,\"a/sda,size=x\",,\n", "line 2, column 'disks': 'a/sda,size=x' is no disk")]
    [InlineData(Header + "a,S,\"a/sda,serial=\",,\n", "line 2, column 'disks'")]
    [InlineData(Header + "a,S,\"a/sda,serial=1,serial=2\",,\n", "line 2, column 'disks'")]
    [InlineData(Header + "a,\"S,,,\n", "line 2: its quotes do not match")]
    [InlineData(Header, "lists no asset")]
    [InlineData("", "lists no asset")]
    public void What_is_wrong_is_told_with_its_place(string text, string why)
    {
        var e = Assert.Throws<EvidenceException>(() => Read(text));
        Assert.Equal(ErrorCode.DocketInvalid, e.Code);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_is_told_with_its_line()
    {
        string path = Path.Combine(folder.Path, "latin1.csv");
        File.WriteAllBytes(path, [.. Encoding.UTF8.GetBytes(Header + "a,S,,,\nb"), 0xE4, .. ",S,,,\n"u8]);
        Assert.Contains("line 3: it is no UTF-8", Assert.Throws<EvidenceException>(() => AssetFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_is_read()
    {
        // What a cell can hold, with what has a meaning in such a file among it; the separator of several stands for several.
        Gen<string> name = Gen.Elements("a", "B7", "\"", ",", " ", "'", "é", "=", "|", "#", "\\").NonEmptyListOf().Select(parts => string.Concat(parts).Trim()).Where(Statement.IsName);
        Prop.ForAll(name.ArrayOf().Where(names => names.Length > 0).ToArbitrary(), names =>
        {
            string[] distinct = [.. names.Distinct(StringComparer.Ordinal)];
            string text = "serials,asset\n" + string.Concat(distinct.Select(one => $"{Quoted("S" + one)},{Quoted(one)}\n"));
            IReadOnlyList<AssetDeclaration> read = Read(text);
            Assert.Equal(distinct, read.Select(asset => asset.Asset), StringComparer.Ordinal);
            Assert.Equal(distinct.Select(one => "S" + one), read.Select(asset => Assert.Single(asset.Serials)), StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();
    }

    private static string Quoted(string cell) => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private IReadOnlyList<AssetDeclaration> Read(string text)
    {
        string path = Path.Combine(folder.Path, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, text);
        return AssetFile.Read(path);
    }
}
