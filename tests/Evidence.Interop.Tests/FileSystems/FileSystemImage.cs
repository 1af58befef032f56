using System.Security.Cryptography;
using System.Text;
using Evidence.Interop.Tests.Harness;

namespace Evidence.Interop.Tests.FileSystems;

/// <summary>Images of file systems with files in them, made by each system's own tools.</summary>
internal static class FileSystemImage
{
    private const long MiB = 1 << 20;

    /// <summary>Names that every image has in it.</summary>
    internal static readonly string[] Names = ["letters/report.txt", "letters/empty.txt", "noise.bin", "réception.txt"];

    /// <summary>Makes an image in a folder.</summary>
    /// <returns>Its path.</returns>
    internal static string Make(string kind, string folder)
    {
        string image = Path.Combine(folder, kind + ".img");
        string content = MakeContent(folder);
        switch (kind)
        {
            case "ext4":
                Peer.Require("mkfs.ext4");
                Truncate(image, 48 * MiB);
                Peer.Run("mkfs.ext4", "-q", "-F", "-d", content, image);
                break;
            case "xfs":
                Peer.Require("mkfs.xfs", "mount");
                Peer.RequireRoot("Putting files into XFS");
                Truncate(image, 300 * MiB);
                Peer.Run("mkfs.xfs", "-q", "-f", image);
                using (var mounted = new Mount(Path.Combine(folder, "mounted"), "-o", "loop", image))
                    Peer.Run("cp", "--recursive", content + "/.", mounted.Folder);
                break;
            case "ntfs":
                Peer.Require("mkfs.ntfs", "ntfscp");
                Truncate(image, 32 * MiB);
                Peer.Run("mkfs.ntfs", "-F", "-Q", "-q", image);
                // ntfscp makes no folders.
                foreach (string name in Names)
                    Peer.Run("ntfscp", "--quiet", image, Path.Combine(content, name), Path.GetFileName(name));
                break;
            case "vfat":
                Peer.Require("mkfs.vfat", "mcopy");
                Truncate(image, 32 * MiB);
                Peer.Run("mkfs.vfat", image);
                Peer.Run("mcopy", ["-s", "-i", image, .. Directory.EnumerateFileSystemEntries(content), "::"]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind));
        }

        return image;
    }

    internal static void Truncate(string path, long length)
    {
        using var file = new FileStream(path, FileMode.CreateNew);
        file.SetLength(length);
    }

    private static string MakeContent(string folder)
    {
        string content = Directory.CreateDirectory(Path.Combine(folder, "content")).FullName;
        Directory.CreateDirectory(Path.Combine(content, "letters"));
        var text = new StringBuilder();
        for (int line = 0; line < 20_000; line++)
            text.Append(null, $"{line}: nobody answered\n");
        File.WriteAllText(Path.Combine(content, Names[0]), text.ToString());
        File.WriteAllBytes(Path.Combine(content, Names[1]), []);
        File.WriteAllBytes(Path.Combine(content, Names[2]), RandomNumberGenerator.GetBytes((int)(3 * MiB) + 17));
        File.WriteAllText(Path.Combine(content, Names[3]), "reçu\n");
        return content;
    }
}
