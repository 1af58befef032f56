using System.Text;
using Evidence.Platform;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Formats;

/// <summary>
/// Says in a mapfile of GNU ddrescue what of an image was read, so that ddrescue goes on with a raw export of it: what was read is finished, what the
/// source refused is a bad sector, what was not attempted is not tried. A hole counts as finished: the export has zeros there, as the source said.
/// </summary>
public static class MapfileExport
{
    /// <summary>The map of an image.</summary>
    /// <param name="image">The image.</param>
    public static RescueMap MapOf(VaultImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var map = new RescueMap(image.Size);
        if (image.Size > 0)
            map.Set(0, image.Size, RescueStatus.Finished);
        foreach (AbsentRange range in image.Manifest.Absent)
            map.Set(range.Offset, range.Length, range.Kind == RunKind.Unreadable ? RescueStatus.BadSector : RescueStatus.NonTried);
        return map;
    }

    /// <summary>Writes the mapfile of an image to a new file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">A file that does not exist yet.</param>
    /// <exception cref="EvidenceException">The file exists, or cannot be written.</exception>
    public static void Write(VaultImage image, string path)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var text = new StringWriter();
        Write(image, text);
        if (Path.Exists(path) || !DurableFile.TryCreate(Path.GetFullPath(path), Encoding.UTF8.GetBytes(text.ToString()), writable: true))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"{path} exists already. Name a file that does not exist yet.");
    }

    /// <summary>Writes the mapfile of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="writer">Where the text goes.</param>
    public static void Write(VaultImage image, TextWriter writer) => Mapfile.Write(MapOf(image), writer, $"Image sha256:{image.Id}, {image.Size} bytes");
}
