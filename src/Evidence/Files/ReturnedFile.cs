using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Files;

/// <summary>A file that was taken out of an image.</summary>
/// <param name="File">The file.</param>
/// <param name="Sha256">The SHA-256 of its content.</param>
/// <param name="Derivation">How that comes from the ranges.</param>
/// <param name="Ranges">The ranges of the image, in the order of the file.</param>
/// <param name="Proofs">The names of the proofs, which cover all of them.</param>
/// <param name="Record">The SHA-256 of <c>ranges.json</c>, which says all this.</param>
public sealed record ReturnedFile(ImageFile File, Sha256Digest Sha256, FileDerivation Derivation, IReadOnlyList<FileRun> Ranges, IReadOnlyList<string> Proofs, Sha256Digest Record)
{
    /// <summary>The content of <c>ranges.json</c> (<c>docs/format/file.md</c>).</summary>
    internal static byte[] Encode(Sha256Digest image, ImageFile file, string reader, Sha256Digest sha256, FileDerivation derivation, IReadOnlyList<FileRun> ranges, IReadOnlyList<string> proofs) =>
        CanonicalJson.Serialize(new JsonObject
        {
            ["format"] = "evidence-file/1",
            ["image"] = image.ToString(),
            ["reader"] = reader,
            ["partition"] = file.Partition,
            ["volume"] = DecimalText.Format(file.Volume),
            ["fileSystem"] = file.FileSystem,
            ["inode"] = file.Inode.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["path"] = file.Path,
            ["deleted"] = file.IsDeleted,
            ["length"] = DecimalText.Format(file.Length),
            ["sha256"] = sha256.ToString(),
            ["derivation"] = NameOf(derivation),
            ["ranges"] = new JsonArray([.. ranges.Select(range => (JsonNode)new JsonObject
            {
                ["fileOffset"] = DecimalText.Format(range.FileOffset),
                ["imageOffset"] = DecimalText.Format(range.ImageOffset),
                ["length"] = DecimalText.Format(range.Length),
            })]),
            ["proofs"] = new JsonArray([.. proofs.Select(proof => (JsonNode)proof)]),
        });

    /// <summary>The derivation, as it stands in the file and in <c>--json</c>.</summary>
    public static string NameOf(FileDerivation derivation) => derivation switch
    {
        FileDerivation.Direct => "direct",
        FileDerivation.NtfsCompressed => "ntfs-compressed",
        FileDerivation.NtfsResident => "ntfs-resident",
        _ => throw new ArgumentOutOfRangeException(nameof(derivation)),
    };
}
